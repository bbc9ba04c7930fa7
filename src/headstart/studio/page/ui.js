// What components are made of: Preact, its hooks, signals and htm, from one place.

export { html, render } from "./vendor/htm-preact.js";
export { Fragment, createRef } from "./vendor/preact.js";
export { useCallback, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState } from "./vendor/hooks.js";
export { batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect } from "./vendor/signals.js";
