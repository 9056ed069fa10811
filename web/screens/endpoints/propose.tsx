/** Proposes a challenger: which version, how much of the traffic, by which steps. */
import { NumberInput, Select, SegmentedControl, Switch, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Endpoint } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { notify } from '../../parts/notify.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { ActButton } from '../models/acts.tsx'

/** The usual canary: a little, a quarter, half. */
const usualSteps = [
  { share: 0.05, holdMinutes: 60, minDecisions: 500 },
  { share: 0.25, holdMinutes: 240, minDecisions: 2000 },
  { share: 0.5, holdMinutes: 1440, minDecisions: 5000 },
]

export function ProposeButton({ endpoint }: { readonly endpoint: Endpoint }) {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <ActButton
        title="Propose a challenger"
        look="filled"
        permission={endpoint.may.propose}
        open={() => setOpened(true)}
      />
      {opened ? <ProposeDialog endpoint={endpoint} close={() => setOpened(false)} /> : null}
    </>
  )
}

function ProposeDialog({
  endpoint,
  close,
}: {
  readonly endpoint: Endpoint
  readonly close: () => void
}) {
  const { candidates, policy } = endpoint
  const act = useAct('proposeChallenger', ['endpoint', 'endpoints', 'audit'])
  const [number, setNumber] = useState<string | null>(String(candidates[0]?.number ?? ''))
  const [mode, setMode] = useState<'shadow' | 'live'>('shadow')
  const [share, setShare] = useState(100)
  const [when, setWhen] = useState('')
  const [isCanary, setIsCanary] = useState(true)
  const chosen = candidates.find((each) => String(each.number) === number)
  const propose = (reason: string) => {
    if (chosen === undefined) return
    const isLive = mode === 'live'
    act.mutate(
      {
        params: { policy: policy.id },
        body: {
          version: chosen.number,
          mode,
          reason,
          ...(isLive && isCanary ? { steps: usualSteps } : { share: share / 100 }),
          ...(isLive && when.trim() !== '' && { when: when.trim() }),
        },
      },
      {
        onSuccess: () => {
          notify('Proposed; another person confirms it')
          close()
        },
      },
    )
  }
  return (
    <ReasonDialog
      opened
      close={close}
      title={`Challenge ${endpoint.champion.title}`}
      submit="Propose"
      pending={act.isPending}
      error={act.error}
      isReady={chosen !== undefined && (mode === 'shadow' || chosen.live)}
      focusesReason={false}
      act={propose}
    >
      <p className="quiet">
        Nothing changes until another person, who neither trained nor registered it, confirms.
      </p>
      <Select
        label="Version"
        data-autofocus
        placeholder={candidates.length === 0 ? 'No version has passed its gate' : 'Choose one'}
        data={candidates.map((each) => ({
          value: String(each.number),
          label: `${each.version.title}${each.live ? '' : ' (shadow only: not approved)'}`,
        }))}
        value={number}
        onChange={setNumber}
      />
      <SegmentedControl
        aria-label="Mode"
        data={[
          { value: 'shadow', label: 'In shadow' },
          { value: 'live', label: 'Live' },
        ]}
        value={mode}
        onChange={(value) => {
          setMode(value)
          setShare(value === 'shadow' ? 100 : 5)
        }}
      />
      <p className="quiet">
        {mode === 'shadow'
          ? 'It is asked beside, after the customer has the answer, and decides nothing.'
          : 'It decides in the champion’s place on its share.'}
      </p>
      {mode === 'live' ? (
        <>
          <Switch
            label="In steps: 5 % for 1 h, 25 % for 4 h, 50 %"
            description="It goes up by itself while no guard trips, and is withdrawn where one does."
            checked={isCanary}
            onChange={(event) => setIsCanary(event.currentTarget.checked)}
          />
          <TextInput
            label="Only where (CEL, optional)"
            placeholder="event.amount < 100.00"
            value={when}
            onChange={(event) => setWhen(event.currentTarget.value)}
          />
        </>
      ) : null}
      {mode === 'live' && isCanary ? null : (
        <NumberInput
          label="Share, per cent"
          min={0.1}
          max={100}
          value={share}
          onChange={(value) => setShare(Number(value))}
        />
      )}
    </ReasonDialog>
  )
}
