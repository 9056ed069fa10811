import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { call } from '../../client/api.ts'

/** Says that this person has the case open, and who else has. */
export function Viewers({ caseId }: { readonly caseId: string }) {
  const answer = useQuery({
    queryKey: ['viewCase', caseId],
    queryFn: ({ signal }) => call('viewCase', { params: { caseId }, signal }),
    refetchInterval: 15_000,
  })
  useEffect(
    () => () => {
      void call('leaveCase', { params: { caseId } }).catch(() => undefined)
    },
    [caseId],
  )
  const others = answer.data?.viewers.filter((viewer) => !viewer.you) ?? []
  if (others.length === 0) return null
  return (
    <p className="viewers" role="status">
      {others.map((viewer) => viewer.identity.name).join(', ')} also{' '}
      {others.length === 1 ? 'has' : 'have'} it open
    </p>
  )
}
