import { expect, test } from 'vitest'
import type { Identity } from '../../../access/index.ts'
import type { AfterReview } from '../../../governance/index.ts'
import { manualClock } from '../../../lib/clock.ts'
import { DAY_US } from '../../../lib/time.ts'
import type { Rooms } from '../rooms.ts'
import { governanceViews } from './governance.ts'

const ann: Identity = {
  id: 'ann',
  name: 'Ann',
  kind: 'person',
  roles: ['approver'],
  createdAtUs: 0,
}

test('what one person did at once is overdue after a day, which is an alarm', async () => {
  const clock = manualClock(DAY_US)
  const review: AfterReview = {
    id: 'afterreview_1',
    act: 'rolled-back',
    what: 'card went back to version 1.',
    object: { kind: 'policy', id: 'card' },
    actorId: 'ada',
    actorName: 'Ada',
    reason: 'It declines everyone',
    atUs: DAY_US,
  }
  const rooms = {
    clock,
    governance: { inventory: async () => [] },
    afterReviews: { list: async () => [review] },
    access: { identities: async () => [ann] },
  } as unknown as Rooms
  const look = () => governanceViews(rooms).governance({ identity: ann } as never)
  clock.advance(DAY_US)
  expect(await look()).toMatchObject({
    verdict: { status: 'ok' },
    afterReviews: [{ dueAt: '1970-01-03T00:00:00Z', overdue: false }],
  })
  clock.advance(1)
  expect(await look()).toMatchObject({
    verdict: {
      status: 'alert',
      sentence: '1 act of one person, which nobody has looked at for more than a day.',
    },
    afterReviews: [{ overdue: true, sign: { allowed: true } }],
  })
})
