/** Who is told of a policy's decisions: an action is part of the policy, and of what is approved. */
import { Button, NativeSelect, TextInput } from '@mantine/core'
import type { PolicyAction, PolicyParts } from '../../../src/server/contract/index.ts'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { AddPart, RemovePart } from './part-buttons.tsx'
import { useFocusOn } from './policy-rules.tsx'

const outcomes = ['allow', 'review', 'decline'] as const
type Outcome = (typeof outcomes)[number]

const kinds = { webhook: 'POST to', topic: 'topic', file: 'file' } as const
type Kind = keyof typeof kinds
const places = {
  webhook: { label: 'Address', placeholder: 'https://…' },
  topic: { label: 'Topic', placeholder: 'decided' },
  file: { label: 'File', placeholder: 'told.ndjson' },
} as const

interface ActionsProps {
  readonly parts: PolicyParts
  readonly isFixed: boolean
  readonly change: (part: Partial<PolicyParts>) => void
}

export function PolicyActions({ parts, isFixed, change }: ActionsProps) {
  const { actions = [], rules } = parts
  const focusOn = useFocusOn()
  const set = (at: number, action: PolicyAction) =>
    change({ actions: actions.map((each, i) => (i === at ? action : each)) })
  return (
    <Panel title="Actions" aside={actions.length === 0 ? 'none' : undefined}>
      <div className="stack">
        <p className="quiet">
          Told after the answer, at least once, and never delaying it. How it goes is on the page{' '}
          <PageLink to="/monitoring/actions">Actions</PageLink>. A webhook is signed by a secret
          that is a file of the home.
        </p>
        {actions.map((action, at) => (
          <ActionFields
            key={at}
            at={at}
            action={action}
            rules={rules.map(({ name }) => name)}
            isFixed={isFixed}
            set={(next) => set(at, next)}
            remove={() => {
              focusOn('Add an action')
              change({ actions: actions.filter((_, i) => i !== at) })
            }}
          />
        ))}
        <AddPart
          what="an action"
          isFixed={isFixed}
          add={() => {
            focusOn(`Name of action ${actions.length + 1}`)
            const name = `action-${actions.length + 1}`
            change({ actions: [...actions, { name, to: { webhook: '' } }] })
          }}
        />
      </div>
    </Panel>
  )
}

interface FieldsProps {
  readonly at: number
  readonly action: PolicyAction
  readonly rules: readonly string[]
  readonly isFixed: boolean
  readonly set: (action: PolicyAction) => void
  readonly remove: () => void
}

function ActionFields({ at, action, rules, isFixed, set, remove }: FieldsProps) {
  const { name, to } = action
  const kind: Kind = 'webhook' in to ? 'webhook' : 'topic' in to ? 'topic' : 'file'
  const place = 'webhook' in to ? to.webhook : 'topic' in to ? to.topic : to.file
  const secret = 'webhook' in to ? (to.secret ?? '') : ''
  const go = (to: PolicyAction['to']) => set({ ...action, to })
  return (
    <fieldset className="policy-action" disabled={isFixed}>
      <legend className="visually-hidden">{name}</legend>
      <TextInput
        size="xs"
        aria-label={`Name of action ${at + 1}`}
        value={name}
        onChange={(event) => set({ ...action, name: event.currentTarget.value })}
      />
      <NativeSelect
        size="xs"
        aria-label={`By which way ${name} goes`}
        value={kind}
        data={Object.entries(kinds).map(([value, label]) => ({ value, label }))}
        onChange={(event) => go(target(event.currentTarget.value as Kind, '', ''))}
      />
      <RemovePart name={name} isFixed={isFixed} remove={remove} />
      <TextInput
        size="xs"
        className="policy-action-wide"
        aria-label={`${places[kind].label} of ${name}`}
        placeholder={places[kind].placeholder}
        value={place}
        onChange={(event) => go(target(kind, event.currentTarget.value, secret))}
      />
      {kind === 'webhook' ? (
        <TextInput
          size="xs"
          className="policy-action-wide"
          aria-label={`Secret of ${name}`}
          placeholder="name of its secret, where it is signed"
          value={secret}
          onChange={(event) => go(target(kind, place, event.currentTarget.value))}
        />
      ) : null}
      <OnOutcomes action={action} set={set} />
      <OnRules action={action} rules={rules} set={set} />
    </fieldset>
  )
}

function target(kind: Kind, place: string, secret: string): PolicyAction['to'] {
  if (kind === 'topic') return { topic: place }
  if (kind === 'file') return { file: place }
  return { webhook: place, ...(secret !== '' && { secret }) }
}

type ConditionProps = Pick<FieldsProps, 'action' | 'set'>

/** None chosen is every decision. */
function OnOutcomes({ action, set }: ConditionProps) {
  const { outcomes: chosen = [], ...rest } = action
  const toggle = (outcome: Outcome) => {
    const next = outcomes.filter((each) => chosen.includes(each) !== (each === outcome))
    set({ ...rest, ...(next.length > 0 && { outcomes: next }) })
  }
  return (
    <div
      className="policy-action-wide list-line"
      role="group"
      aria-label={`On which of ${action.name}`}
    >
      {outcomes.map((outcome) => (
        <label key={outcome} className="policy-action-on">
          <input
            type="checkbox"
            checked={chosen.includes(outcome)}
            onChange={() => toggle(outcome)}
          />
          {outcome}
        </label>
      ))}
      <span className="quiet">{chosen.length === 0 ? 'every decision' : ''}</span>
    </div>
  )
}

function OnRules({ action, rules, set }: ConditionProps & Pick<FieldsProps, 'rules'>) {
  const { rules: chosen = [], ...rest } = action
  const choose = (next: readonly string[]) =>
    set({ ...rest, ...(next.length > 0 && { rules: [...next] }) })
  const others = rules.filter((rule) => !chosen.includes(rule))
  return (
    <div className="policy-action-wide list-line">
      {chosen.map((rule) => (
        <Button
          key={rule}
          size="compact-xs"
          variant="default"
          aria-label={`Not only where ${rule} fired`}
          onClick={() => choose(chosen.filter((each) => each !== rule))}
        >
          {rule} ×
        </Button>
      ))}
      <NativeSelect
        size="xs"
        aria-label={`Only where a rule fired, of ${action.name}`}
        value=""
        data={[
          { value: '', label: chosen.length === 0 ? 'whatever rules fired' : 'or this rule…' },
          ...others,
        ]}
        onChange={(event) => choose([...chosen, event.currentTarget.value])}
      />
    </div>
  )
}
