// How far each action has come along the journal, and what could not be delivered.
import type { CompiledAction } from './actions.ts'
import type { Restorable } from '../lib/unit-of-work.ts'

/** One action of one policy in one namespace. */
export interface ActionKey {
  readonly namespace: string
  readonly policy: string
  readonly action: string
}

export interface ActionCursor extends ActionKey {
  /** Of the journal: every decision up to here was delivered, or set aside as dead. */
  readonly through: number
  /** Failed attempts at the decision that is next, and when it is tried again. */
  readonly attempts: number
  readonly nextAtUs: number
  readonly lastError: string | null
  readonly delivered: number
  /** Where it is delivered to: what the newest deployment that declares it says. */
  readonly declared: CompiledAction
  /** Sequence of that deployment's record. */
  readonly declaredAt: number
}

/** A decision that could not be delivered. It stays until it is. */
export interface DeadLetter extends ActionKey {
  readonly sequence: number
  readonly eventId: string
  readonly attempts: number
  readonly error: string
  readonly diedAtUs: number
  /** Somebody wants it delivered once more. */
  readonly redrive: boolean
}

export interface ActionStore {
  cursors(): Promise<ActionCursor[]>
  /**
   * Says what an action is from a deployment's record on: a new one begins there, of one that is known
   * the place stays as it is.
   */
  declare(of: ActionKey, declared: CompiledAction, declaredAt: number): Promise<void>
  /**
   * Moves a cursor, but not what was declared, and keeps the dead letter that explains its step: both
   * or neither.
   */
  move(cursor: ActionCursor, dead?: DeadLetter): Promise<void>
  /** Adds or replaces one dead letter. */
  saveDead(letter: DeadLetter): Promise<void>
  removeDead(letter: ActionKey & { readonly sequence: number }): Promise<void>
  /** Oldest first; with `redrive` those alone that are to be delivered once more. */
  dead(query: {
    readonly of?: ActionKey | undefined
    readonly redrive?: true | undefined
    readonly afterSequence?: number | undefined
    readonly limit: number
  }): Promise<DeadLetter[]>
  deadCount(of: ActionKey): Promise<number>
  /** Wants dead letters delivered once more, all or some; says how many there were. */
  askRedrive(of: ActionKey, sequences: readonly number[] | undefined): Promise<number>
  /** The actions of a deployment's policy, once they were kept; documents are large to read. */
  actionsOf(deployment: string): Promise<readonly CompiledAction[] | undefined>
  keepActions(deployment: string, actions: readonly CompiledAction[]): Promise<void>
}

export function createMemoryActionStore(): ActionStore & Restorable {
  let cursors = new Map<string, ActionCursor>()
  let letters = new Map<string, DeadLetter>()
  const actions = new Map<string, readonly CompiledAction[]>()
  const keyOf = ({ namespace, policy, action }: ActionKey) =>
    JSON.stringify([namespace, policy, action])
  const letterKey = (letter: ActionKey & { readonly sequence: number }) =>
    `${keyOf(letter)}/${letter.sequence}`
  const deadOf = (of?: ActionKey) =>
    [...letters.values()]
      .filter((each) => of === undefined || keyOf(each) === keyOf(of))
      .toSorted((a, b) => a.sequence - b.sequence)

  return {
    save() {
      const saved = [new Map(cursors), new Map(letters)] as const
      return () => {
        ;[cursors, letters] = saved
      }
    },
    cursors: async () => [...cursors.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    async declare(of, declared, declaredAt) {
      const { namespace, policy, action } = of
      const begin = { attempts: 0, nextAtUs: 0, lastError: null, delivered: 0 }
      const known = cursors.get(keyOf(of))
      const cursor = known ?? { namespace, policy, action, through: declaredAt, ...begin }
      cursors.set(keyOf(of), { ...cursor, declared, declaredAt })
    },
    async move(cursor, dead) {
      const { declared, declaredAt } = cursors.get(keyOf(cursor)) ?? cursor
      cursors.set(keyOf(cursor), { ...cursor, declared, declaredAt })
      if (dead !== undefined) letters.set(letterKey(dead), dead)
    },
    async saveDead(letter) {
      letters.set(letterKey(letter), letter)
    },
    async removeDead(letter) {
      letters.delete(letterKey(letter))
    },
    dead: async ({ of, redrive, afterSequence = 0, limit }) =>
      deadOf(of)
        .filter((each) => each.sequence > afterSequence && (redrive !== true || each.redrive))
        .slice(0, limit),
    deadCount: async (of) => deadOf(of).length,
    async askRedrive(of, sequences) {
      const wanted = deadOf(of).filter(
        ({ sequence }) => sequences === undefined || sequences.includes(sequence),
      )
      for (const letter of wanted) letters.set(letterKey(letter), { ...letter, redrive: true })
      return wanted.length
    },
    actionsOf: async (deployment) => actions.get(deployment),
    async keepActions(deployment, declared) {
      actions.set(deployment, declared)
    },
  }
}
