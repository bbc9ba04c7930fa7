// Icons of one family: strokes of 1.5 on a field of 20. Decoration: what they mean is said in words beside them.

import { html } from "../ui.js";

const PATHS = {
  photos: "M3 4.5A1.5 1.5 0 0 1 4.5 3h4v6.5H3zM11.5 3h4A1.5 1.5 0 0 1 17 4.5v5h-5.5zM3 12.5h5.5V17h-4A1.5 1.5 0 0 1 3 15.5zM11.5 12.5H17v3a1.5 1.5 0 0 1-1.5 1.5h-4z",
  queue: "M3 5.5h7M3 10h5M3 14.5h7M12 11.5l2 2 3.5-4.5",
  map: "M5.5 6.5h.01M8 4.5h.01M9 8h.01M13.5 12h.01M15.5 14.5h.01M12 15.5h.01M6 13.5h.01M14.5 5.5h.01",
  train: "M3 15.5c3 0 4-2 5.5-5.500S11.5 4.5 17 4.500M3 17.500h14",
  understand: "M3.5 3.500h5.500v5.500H3.500zM11 3.500h5.500v5.500H11zM3.5 11h5.500v5.500H3.500zM11 13.750h5.500M13.75 11v5.5",
  try: "M4 7.500A1.5 1.5 0 0 1 5.5 6h1.600l1.2-2h3.400l1.2 2h1.600A1.5 1.5 0 0 1 16 7.500v7a1.5 1.5 0 0 1-1.5 1.500h-9A1.5 1.5 0 0 1 4 14.500zM12.5 10.500a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  add: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  search: "M13 13l4 4M14.5 8.750a5.75 5.75 0 1 1-11.5 0 5.75 5.75 0 0 1 11.5 0z",
  close: "M5 5l10 10M15 5L5 15",
  check: "M4 10.500l4 4 8-9",
  alert: "M10 6.500v4.500M10 13.600v.010M10 2.800l7.6 13.400H2.400z",
  info: "M10 9v5M10 6.200v.010M17.5 10a7.5 7.5 0 1 1-15 0 7.5 7.5 0 0 1 15 0z",
  undo: "M7.5 4L4 7.5 7.5 11M4 7.500h7.500a4.25 4.25 0 0 1 0 8.500H8",
  redo: "M12.5 4L16 7.5 12.5 11M16 7.500H8.500a4.25 4.25 0 0 0 0 8.500H12",
  folder: "M2.5 5.500A1.5 1.5 0 0 1 4 4h3.500l2 2.500H16A1.5 1.5 0 0 1 17.5 8v6.500A1.5 1.5 0 0 1 16 16H4a1.5 1.5 0 0 1-1.5-1.500z",
  file: "M5 2.500h6.500L15.5 6.500v11H5zM11.5 2.500v4h4",
  more: "M5 10h.010M10 10h.010M15 10h.01",
  down: "M5.5 8l4.5 4.500L14.5 8",
  left: "M12 5l-5 5 5 5",
  right: "M8 5l5 5-5 5",
  up: "M5.5 12L10 7.500l4.5 4.5",
  tag: "M3 3.500h6.500l7.5 7.5-6 6L3.5 9.500zM6.7 6.700v.01",
  exclude: "M4.7 4.700l10.6 10.600M17.5 10a7.5 7.5 0 1 1-15 0 7.5 7.5 0 0 1 15 0z",
  like: "M3.5 6.500h7v7h-7zM7.5 6.500v-3h9v9h-6",
  edit: "M12.5 4.500l3 3L7 16l-3.5.500L4 13z",
  merge: "M5 3.500v3c0 3 5 3 5 6.500v3.500M15 3.500v3c0 3-5 3-5 6.5",
  sort: "M6 4v12M3 13l3 3 3-3M11 5.500h6M11 10h4.500M11 14.500h3",
  lasso: "M4.5 11.500C2.5 9 4 4 10 4s8.5 5.5 5 8.500c-2.5 2.1-6.5 1.6-8 .500M7 13c1.5-1.5-.5-3-2-2s-.5 3.5 1.5 3-.5 2.5-2 3",
  keyboard: "M2.5 5.500h15v9h-15zM5.5 8.500h.010M8.5 8.500h.010M11.5 8.500h.010M14.5 8.500h.010M6.5 11.500h7",
  sun: "M10 2.500v1.500M10 16v1.500M2.5 10H4M16 10h1.500M4.7 4.700l1 1M14.3 14.300l1 1M15.3 4.700l-1 1M5.7 14.300l-1 1M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0z",
  globe: "M17.5 10a7.5 7.5 0 1 1-15 0 7.5 7.5 0 0 1 15 0zM2.5 10h15M10 2.500c4.5 4.5 4.5 10.5 0 15M10 2.500c-4.5 4.5-4.5 10.5 0 15",
  filter: "M3 5h14M5.5 10h9M8.5 15h3",
  sidebar: "M3 4.5A1.5 1.5 0 0 1 4.5 3h11A1.5 1.5 0 0 1 17 4.5v11a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 3 15.5zM8 3v14",
  sliders: "M3 6h6M13 6h4M3 14h2M9 14h8M11 4v4M7 12v4",
  copies: "M7 7h10v10H7zM13 7V3H3v10h4",
  camera: "M3 6h9.500v8H3zM12.5 9l4.5-2.500v7L12.5 11z",
  zoom: "M3 8V3h5M17 12v5h-5",
  export: "M10 3v9M6.5 6L10 2.5 13.5 6M4 11.500V16h12v-4.5",
  jobs: "M10 5.500V10l3 2M17.5 10a7.5 7.5 0 1 1-15 0 7.5 7.5 0 0 1 15 0z",
};

/** @param {{ name: string, size?: number }} props */
export function Icon({ name, size = 20 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 20 20" fill="none" stroke="currentColor"
    stroke-width=${name === "map" || name === "more" ? 2.4 : 1.5} stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
    <path d=${PATHS[/** @type {keyof typeof PATHS} */ (name)] ?? PATHS.info} /></svg>`;
}
