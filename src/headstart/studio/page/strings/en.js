// All words of the page in English. Each area has a file; keys begin with the area's name.

import findings from "./en/findings.js";
import photos from "./en/photos.js";
import queue from "./en/queue.js";
import shell from "./en/shell.js";
import train from "./en/train.js";
import tryIt from "./en/try.js";
import understand from "./en/understand.js";

/** @type {Record<string, string | Record<string, string>>} */
export default { ...shell, ...photos, ...queue, ...train, ...tryIt, ...understand, ...findings };
