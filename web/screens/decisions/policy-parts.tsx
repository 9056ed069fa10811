/** What a policy has beside its rules: thresholds, typologies as a matrix, lists, the fallback. */
import { Button, NativeSelect, NumberInput, TextInput } from '@mantine/core'
import type { PolicyParts } from '../../../src/server/contract/index.ts'
import { Panel } from '../../parts/layout.tsx'
import { SmallTable } from '../../parts/small-table.tsx'

interface PartsProps {
  readonly parts: PolicyParts
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

function Thresholds({ parts, isFixed, change }: PartsProps) {
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
              label={`${name === 'review' ? 'Review' : 'Decline'} from this score`}
              description={typeof now === 'number' ? undefined : 'Found when the model is trained'}
              placeholder="as trained"
              min={0}
              max={2}
              step={0.01}
              disabled={isFixed}
              value={typeof now === 'number' ? now : ''}
              onChange={(value) => {
                if (value !== '') change({ thresholds: { ...thresholds, [name]: Number(value) } })
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
  const weigh = (at: number, rule: string, points: number) => {
    const { [rule]: _, ...rest } = typologies[at]?.weights ?? {}
    set(at, { weights: points === 0 ? rest : { ...rest, [rule]: points } })
  }
  const first = rules[0]?.name
  const fresh = (): Typology => ({
    name: `typology-${typologies.length + 1}`,
    weights: first === undefined ? {} : { [first]: 1 },
    alert: 1,
    reason: '',
  })
  return (
    <Panel title="Typologies" aside={typologies.length === 0 ? 'none' : 'points by rule'}>
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
                from === 'alert' ? 'Review from' : 'Decline from',
                ...typologies.map((typology, at) => (
                  <NumberInput
                    key={typology.name}
                    size="xs"
                    w={64}
                    hideControls
                    aria-label={`${from} of ${typology.name}`}
                    disabled={isFixed}
                    value={typology[from] ?? ''}
                    onChange={(value) => set(at, { [from]: Number(value) || 1 })}
                  />
                )),
              ],
            })),
          ]}
        />
      )}
      {typologies.map((typology, at) => (
        <TextInput
          key={at}
          size="xs"
          label={`What ${typology.name} says`}
          disabled={isFixed}
          value={typology.reason}
          onChange={(event) => set(at, { reason: event.currentTarget.value })}
        />
      ))}
      {isFixed ? null : (
        <p className="rule-add">
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => change({ typologies: [...typologies, fresh()] })}
          >
            Add a typology
          </Button>
        </p>
      )}
    </Panel>
  )
}

const LISTED: readonly string[] = ['id', 'key', 'text', 'category']

function Lists({ parts, columns, isFixed, change }: PartsProps) {
  const { lists } = parts
  const offered = columns.filter(({ kind }) => LISTED.includes(kind)).map(({ name }) => name)
  const set = (at: number, part: object) =>
    change({ lists: lists.map((each, i) => (i === at ? { ...each, ...part } : each)) })
  return (
    <Panel title="Lists" aside='asked as listed("name")'>
      <div className="stack">
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
          </div>
        ))}
        {isFixed ? null : (
          <div>
            <Button
              size="compact-xs"
              variant="default"
              onClick={() =>
                change({
                  lists: [
                    ...lists,
                    { name: `list-${lists.length + 1}`, column: offered[0] ?? '', description: '' },
                  ],
                })
              }
            >
              Add a list
            </Button>
          </div>
        )}
      </div>
    </Panel>
  )
}
