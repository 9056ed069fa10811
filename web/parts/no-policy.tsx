import { useBank } from '../shell/bank.ts'
import { PageLink } from './layout.tsx'
import { Empty } from './states.tsx'

/** Whether the project declares what decides; before any project it is not known, and counts as so. */
export function useDecides(): boolean {
  const { name, policy } = useBank().project
  return policy !== null || name === ''
}

/** Where decisions would stand, in a project of features or pipelines alone. */
export function NoPolicy() {
  const { title } = useBank().project
  return (
    <Empty title={`${title} declares no policy`}>
      It decides nothing. <PartLinks />
    </Empty>
  )
}

export function PartLinks() {
  return (
    <>
      See its <PageLink to="/pipelines">pipelines</PageLink> and{' '}
      <PageLink to="/features">features</PageLink>.
    </>
  )
}
