/** The rules of a draft as a dense table: each field is edited where it stands. */
import { Button, NativeSelect, NumberInput, Textarea, TextInput } from '@mantine/core'
import type { DraftCheck, PolicyParts } from '../../../src/server/contract/index.ts'
import { SmallTable } from '../../parts/small-table.tsx'

type Rule = PolicyParts['rules'][number]

interface RulesProps {
  readonly rules: readonly Rule[]
  readonly mistakes: DraftCheck['mistakes']
  readonly isFixed: boolean
  readonly change: (rules: Rule[]) => void
}

export function RuleTable({ rules, mistakes, isFixed, change }: RulesProps) {
  const set = (at: number, part: Partial<Rule>) =>
    change(rules.map((rule, i) => (i === at ? tidy({ ...rule, ...part }) : rule)))
  const move = (at: number, by: number) => {
    const next = [...rules]
    const [taken] = next.splice(at, 1)
    if (taken !== undefined) next.splice(at + by, 0, taken)
    change(next)
  }
  return (
    <>
      <SmallTable
        label="Rules of the draft"
        head={[
          { title: 'Rule and what is said' },
          { title: 'When (CEL)' },
          { title: 'Then' },
          { title: 'Priority' },
          { title: 'Cap an hour' },
          { title: <span className="visually-hidden">Order</span> },
        ]}
        rows={rules.map((rule, at) => ({
          key: String(at),
          cells: [
            <div key="name" className="rule-cell">
              <TextInput
                size="xs"
                aria-label={`Name of rule ${at + 1}`}
                value={rule.name}
                disabled={isFixed}
                onChange={(event) => set(at, { name: event.currentTarget.value })}
              />
              <TextInput
                size="xs"
                aria-label={`Reason of ${rule.name}`}
                placeholder="A sentence to say to a customer"
                value={rule.reason}
                disabled={isFixed}
                onChange={(event) => set(at, { reason: event.currentTarget.value })}
              />
            </div>,
            <Expression
              key="when"
              rule={rule}
              isFixed={isFixed}
              mistakes={mistakes.filter((mistake) => mistake.rule === rule.name)}
              change={(when) => set(at, { when })}
            />,
            <div key="then" className="rule-cell">
              <NativeSelect
                size="xs"
                aria-label={`Outcome of ${rule.name}`}
                disabled={isFixed}
                value={rule.then ?? ''}
                data={[
                  { value: 'allow', label: 'allow' },
                  { value: 'review', label: 'review' },
                  { value: 'decline', label: 'decline' },
                  { value: '', label: 'signal' },
                ]}
                onChange={(event) => {
                  const { value } = event.currentTarget
                  set(at, { then: value === '' ? undefined : (value as Rule['then']) })
                }}
              />
              <NativeSelect
                size="xs"
                aria-label={`Mode of ${rule.name}`}
                disabled={isFixed}
                value={rule.mode ?? 'live'}
                data={['live', 'shadow']}
                onChange={(event) => set(at, { mode: event.currentTarget.value as Rule['mode'] })}
              />
            </div>,
            <NumberInput
              key="priority"
              size="xs"
              w={64}
              min={0}
              max={100}
              hideControls
              aria-label={`Priority of ${rule.name}`}
              disabled={isFixed}
              value={rule.priority ?? 0}
              onChange={(value) => set(at, { priority: Number(value) || 0 })}
            />,
            <NumberInput
              key="cap"
              size="xs"
              w={76}
              min={1}
              hideControls
              placeholder="none"
              aria-label={`Cap of ${rule.name}`}
              disabled={isFixed}
              value={rule.capPerHour ?? ''}
              onChange={(value) =>
                set(at, { capPerHour: value === '' ? undefined : Number(value) })
              }
            />,
            <span key="order" className="rule-acts">
              <Button
                size="compact-xs"
                variant="subtle"
                disabled={isFixed || at === 0}
                aria-label={`Move ${rule.name} up`}
                onClick={() => move(at, -1)}
              >
                ↑
              </Button>
              <Button
                size="compact-xs"
                variant="subtle"
                color="red"
                disabled={isFixed}
                aria-label={`Remove ${rule.name}`}
                onClick={() => change(rules.filter((_, i) => i !== at))}
              >
                ×
              </Button>
            </span>,
          ],
        }))}
      />
      {isFixed ? null : (
        <p className="rule-add">
          <Button size="xs" variant="default" onClick={() => change([...rules, newRule(rules)])}>
            Add a rule
          </Button>
        </p>
      )}
    </>
  )
}

/** The text, and under it what is wrong with a caret at the place. */
function Expression({
  rule,
  mistakes,
  isFixed,
  change,
}: {
  readonly rule: Rule
  readonly mistakes: DraftCheck['mistakes']
  readonly isFixed: boolean
  readonly change: (when: string) => void
}) {
  return (
    <div className="rule-when">
      <Textarea
        size="xs"
        autosize
        minRows={1}
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12.5 } }}
        aria-label={`Condition of ${rule.name}`}
        aria-invalid={mistakes.length > 0}
        disabled={isFixed}
        value={rule.when}
        onChange={(event) => change(event.currentTarget.value)}
      />
      {mistakes.map(({ sentence, at }) => (
        <p key={sentence} className="rule-mistake" role="alert">
          {at === null ? null : <Place text={rule.when} at={at} />}
          {sentence}
        </p>
      ))}
    </div>
  )
}

const BEFORE = 24
function Place({ text, at }: { readonly text: string; readonly at: number }) {
  const from = Math.max(0, at - 1 - BEFORE)
  return (
    <code aria-hidden>
      {from > 0 ? '…' : ''}
      {text.slice(from, at - 1)}
      <mark>{text.slice(at - 1, at) || '⏎'}</mark>
      {text.slice(at, at + BEFORE)}
    </code>
  )
}

/** What is not stated is absent, as the policy has it. */
function tidy(rule: Rule): Rule {
  const { then, priority = 0, capPerHour, mode, ...rest } = rule
  return {
    ...rest,
    ...(then !== undefined && { then }),
    ...(priority !== 0 && { priority }),
    ...(capPerHour !== undefined && { capPerHour }),
    ...(mode === 'shadow' && { mode }),
  }
}

function newRule(rules: readonly Rule[]): Rule {
  let number = rules.length + 1
  while (rules.some(({ name }) => name === `rule-${number}`)) number++
  return { name: `rule-${number}`, when: 'score > 0.9', then: 'review', reason: '' }
}
