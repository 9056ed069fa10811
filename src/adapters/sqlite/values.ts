/** How values that SQLite has no type for are kept: JSON as text, booleans as 0 and 1. */
export function toJson(value: unknown): string {
  return JSON.stringify(value)
}

export function fromJson<T>(text: string): T {
  return JSON.parse(text) as T
}

/**
 * An object without its NULL members: rooms leave out what is unknown, tables hold NULL. The type
 * says which members may be missing.
 */
export function withoutNulls<T extends object>(row: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(row).filter(([, value]) => value !== null && value !== undefined),
  ) as { [K in keyof T]: NonNullable<T[K]> }
}
