/** The value under a name that comes from outside: `constructor` is on every object, but not its own. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
