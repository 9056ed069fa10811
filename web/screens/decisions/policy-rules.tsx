/** The rules of a draft as a dense table: each field is edited where it stands. */
import { Button, NativeSelect, NumberInput, Textarea, TextInput } from '@mantine/core'
import { useEffect, useRef } from 'react'
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
    if (taken === undefined) return
    next.splice(at + by, 0, taken)
    focusOn(`Name of rule ${at + by + 1}`)
    change(next)
  }
  const focusOn = useFocusOn()
  return (
    <div className="rules-edit">
      <SmallTable
        label="Rules of the draft"
        head={[
          { title: 'Rule and what is said' },
          { title: 'When (CEL)' },
          { title: 'Then, and mode' },
          {
            title: <span title="Where rules disagree, the highest priority wins">Priority</span>,
          },
          {
            title: (
              <span title="A rule that fires more often than this within an hour pauses itself">
                Cap an hour
              </span>
            ),
          },
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
              <Textarea
                size="xs"
                autosize
                minRows={1}
                aria-label={`Reason of ${rule.name}`}
                placeholder="A sentence to say to a customer"
                value={rule.reason}
                disabled={isFixed}
                onChange={(event) => set(at, { reason: oneLine(event.currentTarget.value) })}
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
            <div key="priority" className="rule-number">
              <span aria-hidden>Priority</span>
              <NumberInput
                size="xs"
                w={64}
                min={0}
                max={100}
                hideControls
                aria-label={`Priority of ${rule.name}`}
                disabled={isFixed}
                value={rule.priority ?? 0}
                onChange={(value) => set(at, { priority: Number(value) || 0 })}
              />
            </div>,
            <div key="cap" className="rule-number">
              <span aria-hidden>Cap an hour</span>
              <NumberInput
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
              />
            </div>,
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
                disabled={isFixed || at === rules.length - 1}
                aria-label={`Move ${rule.name} down`}
                onClick={() => move(at, 1)}
              >
                ↓
              </Button>
              <Button
                size="compact-xs"
                variant="subtle"
                color="red"
                disabled={isFixed}
                aria-label={`Remove ${rule.name}`}
                onClick={() => {
                  const left = rules.length - 1
                  if (left > 0) focusOn(`Name of rule ${Math.min(at + 1, left)}`)
                  change(rules.filter((_, i) => i !== at))
                }}
              >
                ×
              </Button>
            </span>,
          ],
        }))}
      />
      {isFixed ? null : (
        <p className="rule-add">
          <Button
            size="xs"
            variant="default"
            onClick={() => {
              focusOn(`Name of rule ${rules.length + 1}`)
              change([...rules, newRule(rules)])
            }}
          >
            Add a rule
          </Button>
        </p>
      )}
    </div>
  )
}

/** Puts the focus on the field of a name once what was changed is on the page. */
export function useFocusOn(): (name: string) => void {
  const wanted = useRef<string>(null)
  useEffect(() => {
    if (wanted.current === null) return
    const field = document.querySelector<HTMLElement>(
      `[aria-label="${CSS.escape(wanted.current)}"]`,
    )
    if (field === null) return
    wanted.current = null
    field.focus()
  })
  return (name) => {
    wanted.current = name
  }
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
          <Mistake sentence={sentence} />
        </p>
      ))}
    </div>
  )
}

const SHORT = 160
/** What is wrong; all names that there are, which may be hundreds, only when they are asked for. */
function Mistake({ sentence }: { readonly sentence: string }) {
  const end = sentence.indexOf('. ')
  if (sentence.length <= SHORT || end < 0) return <>{sentence}</>
  return (
    <>
      {sentence.slice(0, end + 1)}{' '}
      <span title={sentence}>The names that there are stand below.</span>
    </>
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

/** A long sentence is seen whole, over several lines; it is one nevertheless. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
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
