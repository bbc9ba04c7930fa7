// All words of the page in Portuguese. Each area has a file; keys begin with the area's name.

import findings from "./pt/findings.js";
import photos from "./pt/photos.js";
import queue from "./pt/queue.js";
import shell from "./pt/shell.js";
import train from "./pt/train.js";
import tryIt from "./pt/try.js";
import understand from "./pt/understand.js";

/** @type {Record<string, string | Record<string, string>>} */
export default { ...shell, ...photos, ...queue, ...train, ...tryIt, ...understand, ...findings };
