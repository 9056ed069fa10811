import { useLocalStorage } from '@mantine/hooks'
import { IconX } from '@tabler/icons-react'
import { PageLink, Panel } from '../../parts/layout.tsx'
import { useBank } from '../../shell/bank.ts'

/** Four things to try in the example bank; gone for good once closed. */
export function TryCard() {
  const bank = useBank()
  const [closed, setClosed] = useLocalStorage({ key: 'assay-try-closed', defaultValue: false })
  if (!bank.project.example || closed) return null
  const policy = bank.project.policy ?? 'card-fraud'
  return (
    <Panel
      title="Try"
      className="try"
      aside={
        <button type="button" className="plain-icon" aria-label="Close Try" onClick={() => setClosed(true)}>
          <IconX size={15} />
        </button>
      }
    >
      <ol>
        <li>
          <PageLink to={`/policies/${policy}?decide=1`}>Make a decision</PageLink>
          <span>Send one payment and read why it was answered so.</span>
        </li>
        <li>
          <PageLink to={`/policies/${policy}`}>Change a rule</PageLink>
          <span>See the policy, and the file where its rules are written.</span>
        </li>
        <li>
          <PageLink to="/data/quarantine">Break the data</PageLink>
          <span>Look at rows that failed, mend one, submit it again.</span>
        </li>
        <li>
          <PageLink to="/audit?verify=1">Verify the log</PageLink>
          <span>Prove that nothing on record was changed.</span>
        </li>
      </ol>
    </Panel>
  )
}
