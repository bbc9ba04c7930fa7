// The types of ui.js, as far as the page uses them: of Preact, its hooks, signals and htm. For the type check only.

export type Child = any;
export interface Ref<T> {
  current: T;
}
export interface Signal<T> {
  value: T;
  peek(): T;
  subscribe(listener: (value: T) => void): () => void;
}
export interface ReadonlySignal<T> {
  readonly value: T;
  peek(): T;
  subscribe(listener: (value: T) => void): () => void;
}

export function html(strings: TemplateStringsArray, ...values: unknown[]): Child;
export function render(what: Child, where: Element): void;
export const Fragment: any;
export function createRef<T>(): Ref<T | null>;

type Effect = () => void | (() => void);
export function useCallback<T extends (...given: any[]) => any>(work: T, dependencies: readonly unknown[]): T;
export function useEffect(effect: Effect, dependencies?: readonly unknown[]): void;
export function useLayoutEffect(effect: Effect, dependencies?: readonly unknown[]): void;
export function useErrorBoundary(told?: (error: any) => void): [any, () => void];
export function useId(): string;
export function useMemo<T>(make: () => T, dependencies: readonly unknown[]): T;
export function useRef<T>(first: T): Ref<T>;
export function useState<T>(first: T | (() => T)): [T, (next: T | ((known: T) => T)) => void];

export function batch<T>(work: () => T): T;
export function computed<T>(work: () => T): ReadonlySignal<T>;
export function effect(work: Effect): () => void;
export function signal<T>(first: T): Signal<T>;
export function untracked<T>(work: () => T): T;
export function useComputed<T>(work: () => T): ReadonlySignal<T>;
export function useSignal<T>(first: T): Signal<T>;
export function useSignalEffect(work: Effect): void;
