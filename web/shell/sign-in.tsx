import { Button, PasswordInput } from '@mantine/core'
import { useState } from 'react'
import { useAct } from '../client/queries.ts'
import { Command } from '../parts/states.tsx'

/** Paste the key, or ask the machine for a link that works once. */
export function SignIn({
  project,
  onDone,
}: {
  readonly project: string
  readonly onDone: () => void
}) {
  const [key, setKey] = useState('')
  const act = useAct('signIn', [])
  const problem = act.error?.problem
  const expired = new URLSearchParams(window.location.search).has('expired')
  return (
    <main className="sign-in">
      <form
        className="sign-in-card"
        onSubmit={(event) => {
          event.preventDefault()
          act.mutate({ body: { key: key.trim() } }, { onSuccess: onDone })
        }}
      >
        <img src="/hallmark.svg" alt="" width={36} height={36} />
        <h1>Assay</h1>
        <p className="quiet">{project}</p>
        {expired ? (
          <p role="alert" className="status-warning">
            That link was used already or is older than ten minutes. Make another one below.
          </p>
        ) : null}
        <PasswordInput
          label="Key"
          description="The first start showed an administrator key, once."
          autoComplete="current-password"
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          error={
            problem === undefined ? null : [problem.title, problem.action].filter(Boolean).join(' ')
          }
          data-autofocus
        />
        <Button type="submit" fullWidth loading={act.isPending} disabled={key.trim() === ''}>
          Sign in
        </Button>
        <p className="sign-in-else">
          Or, on the machine where Assay runs, ask for a link that signs you in once:
        </p>
        <Command text="npx assay open" />
        <p className="quiet">
          Lost the key? <code>npx assay keys reset</code> makes a new one, and the audit log says
          so.
        </p>
      </form>
    </main>
  )
}
