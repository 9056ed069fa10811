/** SQL for a value, which may stand in any SELECT over the layers up to `layer`. */
export interface Sql {
  readonly text: string
  /** 0: the columns of the innermost table are enough. */
  readonly layer: number
  readonly type: 'number' | 'condition'
}

interface Definition {
  readonly name: string
  readonly text: string
  readonly layer: number
}

/**
 * Columns that are worked out one from another. SQL has no variables: what is needed twice becomes
 * a column of a SELECT that the next SELECT reads. Equal columns are worked out once.
 */
export class Layers {
  private readonly prefix: string
  private readonly definitions: Definition[] = []

  /** Columns are named `prefix` and a number. */
  constructor(prefix: string) {
    this.prefix = prefix
  }

  /** Gives a value a column of its own, and returns that column. */
  column({ text, layer, type }: Sql): Sql {
    const known = this.definitions.find((definition) => definition.text === text)
    if (known !== undefined) return { text: known.name, layer: known.layer, type }
    const name = `${this.prefix}${this.definitions.length}`
    this.definitions.push({ name, text, layer: layer + 1 })
    return { text: name, layer: layer + 1, type }
  }

  /** The innermost table with all columns beside its own. */
  over(table: string): string {
    const depth = Math.max(0, ...this.definitions.map(({ layer }) => layer))
    let sql = table
    for (let layer = 1; layer <= depth; layer++) {
      const own = this.definitions.filter((definition) => definition.layer === layer)
      const columns = own.map(({ name, text }) => `${text} AS ${name}`)
      sql = `SELECT *, ${columns.join(', ')} FROM ${layer === 1 ? sql : `(${sql})`}`
    }
    return depth === 0 ? `SELECT * FROM ${sql}` : sql
  }
}
