// What runs beside the page: how far it is. (The tray proper.)

import { jobs } from "../store.js";
import { html } from "../ui.js";

export function JobsTray() {
  const running = jobs.value.filter((job) => job.state === "running");
  return running.length ? html`<span class="tray"><span class="spinner small" /></span>` : null;
}
