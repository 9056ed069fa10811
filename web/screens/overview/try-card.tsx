import { useLocalStorage } from '@mantine/hooks'
import { IconX } from '@tabler/icons-react'
import { PageLink } from '../../parts/layout.tsx'
import { useBank } from '../../shell/bank.ts'

/** Four things to try in the example bank; gone for good once closed. */
export function TryCard() {
  const bank = useBank()
  const [closed, setClosed] = useLocalStorage({ key: 'assay-try-closed', defaultValue: false })
  if (!bank.project.example || closed) return null
  const policy = bank.project.policy ?? 'card-fraud'
  return (
    <section className="try" aria-label="Try">
      <h2>Try</h2>
      <ol>
        <li>
          <PageLink to={`/policies/${policy}?decide=1`}>Make a decision</PageLink>
          <span>Send one payment, read why</span>
        </li>
        <li>
          <PageLink to={`/policies/${policy}`}>Read the rules</PageLink>
          <span>See the policy and its file</span>
        </li>
        <li>
          <PageLink to="/data/quarantine">Mend the data</PageLink>
          <span>Correct a row that failed</span>
        </li>
        <li>
          <PageLink to="/audit?verify=1">Verify the log</PageLink>
          <span>Prove nothing was changed</span>
        </li>
      </ol>
      <button
        type="button"
        className="plain-icon"
        aria-label="Close Try"
        onClick={() => setClosed(true)}
      >
        <IconX size={15} />
      </button>
    </section>
  )
}
