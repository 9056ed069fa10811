/** What a policy has beside its rules: thresholds, typologies as a matrix, lists, the fallback. */
import { NativeSelect, NumberInput, TextInput } from '@mantine/core'
import type { PolicyParts } from '../../../src/server/contract/index.ts'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'
import { AddPart, RemovePart } from './part-buttons.tsx'
import { useFocusOn } from './policy-rules.tsx'

interface PartsProps {
  readonly parts: PolicyParts
  /** What decides now. */
  readonly live: PolicyParts
  readonly columns: readonly { readonly name: string; readonly kind: string }[]
  readonly isFixed: boolean
  readonly change: (part: Partial<PolicyParts>) => void
}

export function PolicyPartsPanel(props: PartsProps) {
  return (
    <>
      <Thresholds {...props} />
      <Typologies {...props} />
      <Lists {...props} />
    </>
  )
}

function Thresholds({ parts, live, isFixed, change }: PartsProps) {
  const { thresholds, fallback } = parts
  return (
    <Panel title="Thresholds and fallback">
      <div className="stack">
        {(['review', 'decline'] as const).map((name) => {
          const now = thresholds[name]
          return (
            <NumberInput
              key={name}
              size="xs"
              hideControls
              label={`${name === 'review' ? 'Review' : 'Decline'} from this score`}
              description={
                typeof now === 'number'
                  ? 'As trained where it is empty'
                  : 'Found when the model is trained'
              }
              placeholder="as trained"
              min={0}
              max={2}
              step={0.01}
              disabled={isFixed}
              value={typeof now === 'number' ? now : ''}
              onChange={(value) => {
                const found = value === '' ? live.thresholds[name] : Number(value)
                change({ thresholds: { ...thresholds, [name]: found } })
              }}
            />
          )
        })}
        <NativeSelect
          size="xs"
          label="Where no model and no rule answers"
          disabled={isFixed}
          value={fallback?.outcome ?? 'review'}
          data={['allow', 'review', 'decline']}
          onChange={(event) => {
            const outcome = event.currentTarget.value as 'allow' | 'review' | 'decline'
            change({ fallback: { ...fallback, outcome } })
          }}
        />
        <NumberInput
          size="xs"
          hideControls
          label="Reviews that people can work a day"
          min={0}
          disabled={isFixed}
          value={parts.reviewCapacityPerDay ?? ''}
          onChange={(value) =>
            change({ reviewCapacityPerDay: value === '' ? null : Number(value) })
          }
        />
      </div>
    </Panel>
  )
}

function Typologies({ parts, isFixed, change }: PartsProps) {
  const { typologies, rules } = parts
  type Typology = PolicyParts['typologies'][number]
  const set = (at: number, part: Partial<Typology>) =>
    change({ typologies: typologies.map((each, i) => (i === at ? { ...each, ...part } : each)) })
  const setFrom = (at: number, from: 'alert' | 'interdict', points: number | null) => {
    const { interdict: _, ...rest } = typologies[at] ?? fresh()
    if (points !== null) set(at, { [from]: points || 1 })
    else if (from === 'interdict') {
      change({ typologies: typologies.map((each, i) => (i === at ? rest : each)) })
    }
  }
  const weigh = (at: number, rule: string, points: number) => {
    const { [rule]: _, ...rest } = typologies[at]?.weights ?? {}
    set(at, { weights: points === 0 ? rest : { ...rest, [rule]: points } })
  }
  const focusOn = useFocusOn()
  const first = rules[0]?.name
  const fresh = (): Typology => ({
    name: `typology-${typologies.length + 1}`,
    weights: first === undefined ? {} : { [first]: 1 },
    alert: 1,
    reason: '',
  })
  return (
    <Panel title="Typologies" aside={typologies.length === 0 ? 'none' : 'points by rule'}>
      <p className="quiet">
        A pattern of several rules. The points of those that fire add up; from one sum on the
        payment is reviewed (alert), from another it is declined (interdiction).
      </p>
      {typologies.length === 0 ? null : (
        <SmallTable
          label="Points of typologies"
          pinned
          head={[
            { title: 'Rule' },
            ...typologies.map(({ name }) => ({ title: name, right: true })),
          ]}
          rows={[
            ...rules.map((rule) => ({
              key: rule.name,
              cells: [
                rule.name,
                ...typologies.map((typology, at) => (
                  <NumberInput
                    key={typology.name}
                    size="xs"
                    w={64}
                    hideControls
                    aria-label={`Points of ${rule.name} in ${typology.name}`}
                    disabled={isFixed}
                    value={typology.weights[rule.name] ?? 0}
                    onChange={(value) => weigh(at, rule.name, Number(value) || 0)}
                  />
                )),
              ],
            })),
            ...(['alert', 'interdict'] as const).map((from) => ({
              key: from,
              cells: [
                from === 'alert' ? 'Alert: review from' : 'Interdict: decline from',
                ...typologies.map((typology, at) => (
                  <NumberInput
                    key={typology.name}
                    size="xs"
                    w={64}
                    hideControls
                    aria-label={`${from} of ${typology.name}`}
                    placeholder={from === 'interdict' ? 'never' : ''}
                    disabled={isFixed}
                    value={typology[from] ?? ''}
                    onChange={(value) => setFrom(at, from, value === '' ? null : Number(value))}
                  />
                )),
              ],
            })),
          ]}
        />
      )}
      {typologies.map((typology, at) => (
        <div key={at} className="list-line">
          <TextInput
            size="xs"
            label={`Name of typology ${at + 1}`}
            aria-label={`Name of typology ${at + 1}`}
            disabled={isFixed}
            value={typology.name}
            onChange={(event) => set(at, { name: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            label="What it says"
            aria-label={`What ${typology.name} says`}
            placeholder="A sentence to say to a customer"
            disabled={isFixed}
            value={typology.reason}
            onChange={(event) => set(at, { reason: event.currentTarget.value })}
          />
          <RemovePart
            name={typology.name}
            isFixed={isFixed}
            remove={() => {
              focusOn('Add a typology')
              change({ typologies: typologies.filter((_, i) => i !== at) })
            }}
          />
        </div>
      ))}
      <AddPart
        what="a typology"
        isFixed={isFixed}
        add={() => {
          focusOn(`Name of typology ${typologies.length + 1}`)
          change({ typologies: [...typologies, fresh()] })
        }}
      />
    </Panel>
  )
}

/** What values are listed of, the likeliest first. */
const LISTED: readonly string[] = ['key', 'category', 'text', 'id']

function Lists({ parts, columns, isFixed, change }: PartsProps) {
  const { lists } = parts
  const focusOn = useFocusOn()
  const offered = columns
    .filter(({ kind }) => LISTED.includes(kind))
    .toSorted((a, b) => LISTED.indexOf(a.kind) - LISTED.indexOf(b.kind))
    .map(({ name }) => name)
  const set = (at: number, part: object) =>
    change({ lists: lists.map((each, i) => (i === at ? { ...each, ...part } : each)) })
  return (
    <Panel title="Lists" aside={lists.length === 0 ? 'none' : undefined}>
      <div className="stack">
        <p className="quiet">
          A condition asks <code>listed("name")</code> whether the event’s value of the column is on
          it. Values are put on it on the page Lists, at once and without a draft.
        </p>
        {lists.map((list, at) => (
          <div key={at} className="list-line">
            <TextInput
              size="xs"
              aria-label={`Name of list ${at + 1}`}
              disabled={isFixed}
              value={list.name}
              onChange={(event) => set(at, { name: event.currentTarget.value })}
            />
            <NativeSelect
              size="xs"
              aria-label={`Column of ${list.name}`}
              disabled={isFixed}
              value={list.column}
              data={offered}
              onChange={(event) => set(at, { column: event.currentTarget.value })}
            />
            <RemovePart
              name={list.name}
              isFixed={isFixed}
              remove={() => {
                focusOn('Add a list')
                change({ lists: lists.filter((_, i) => i !== at) })
              }}
            />
            <TextInput
              size="xs"
              className="list-description"
              aria-label={`Description of ${list.name}`}
              placeholder="What it is for"
              disabled={isFixed}
              value={list.description}
              onChange={(event) => set(at, { description: event.currentTarget.value })}
            />
          </div>
        ))}
        <AddPart
          what="a list"
          isFixed={isFixed}
          add={() => {
            focusOn(`Name of list ${lists.length + 1}`)
            const name = `list-${lists.length + 1}`
            change({ lists: [...lists, { name, column: offered[0] ?? '', description: '' }] })
          }}
        />
      </div>
    </Panel>
  )
}
