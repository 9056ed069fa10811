/** What one person did at once, until another one has looked at it. */
import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { AfterReview } from '../../../src/server/contract/index.ts'
import { useAct } from '../../client/queries.ts'
import { dateTime } from '../../parts/figures.ts'
import { Panel } from '../../parts/layout.tsx'
import { WithReasonButton } from '../models/acts.tsx'
import { useTimeZone } from '../../shell/bank.ts'

export function AfterReviews({ items }: { readonly items: readonly AfterReview[] }) {
  if (items.length === 0) return null
  const open = items.filter(({ signed }) => signed === null).length
  return (
    <Panel
      title="Done at once by one person"
      aside={open === 0 ? 'All were looked at' : `${open} to look at`}
    >
      <ul className="plain-list">
        {items.map((review) => (
          <Review key={review.id} review={review} />
        ))}
      </ul>
    </Panel>
  )
}

function Review({ review }: { readonly review: AfterReview }) {
  const zone = useTimeZone()
  const act = useAct('signAfterReview', ['governance', 'audit'])
  const [verdict, setVerdict] = useState<'right' | 'wrong'>('right')
  const { signed } = review
  return (
    <li>
      <p>
        <b>{review.what}</b>
        <br />
        <span className="quiet">
          {review.by.name}, {dateTime(review.at, zone)}: {review.reason}
        </span>
        {review.overdue ? (
          <>
            <br />
            Somebody should have looked at it by {dateTime(review.dueAt, zone)}
          </>
        ) : null}
        {signed === null ? null : (
          <>
            <br />
            {signed.by.name} says it was {signed.verdict}, {dateTime(signed.at, zone)}:{' '}
            {signed.note}
          </>
        )}
      </p>
      {signed === null ? (
        <WithReasonButton
          title="Look at it"
          size="compact-xs"
          of={review.what}
          question={
            <>
              <p>{review.what} Was that right? Your answer changes nothing else.</p>
              <SegmentedControl
                aria-label="Verdict"
                data={[
                  { value: 'right', label: 'It was right' },
                  { value: 'wrong', label: 'It was wrong' },
                ]}
                value={verdict}
                onChange={(value) => setVerdict(value)}
              />
            </>
          }
          permission={review.sign}
          pending={act.isPending}
          error={act.error}
          act={(note, done) =>
            act.mutate(
              { params: { review: review.id }, body: { verdict, note } },
              { onSuccess: done },
            )
          }
        />
      ) : null}
    </li>
  )
}
