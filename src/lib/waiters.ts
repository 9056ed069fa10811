/** Those who wait for the next time that something happens. */
export interface Waiters {
  /** It happened: everybody who waits goes on. */
  wake(): void
  /** Resolves once it happens, after `mostMs`, or when the signal fires. */
  wait(mostMs: number, signal: AbortSignal): Promise<void>
}

export function createWaiters(): Waiters {
  const waiting = new Set<() => void>()
  return {
    wake() {
      for (const go of waiting) go()
    },
    wait: (mostMs, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const go = () => {
          clearTimeout(timer)
          waiting.delete(go)
          signal.removeEventListener('abort', go)
          resolve()
        }
        const timer = setTimeout(go, mostMs)
        waiting.add(go)
        signal.addEventListener('abort', go)
      }),
  }
}
