/** A graph of transfers with dated snapshots, and features that look them up, for the tests of both. */
import { category, eventTime, id, integer, key, money, source } from '../../data/index.ts'
import { compileFeatureSet } from '../compile.ts'
import { featureSet } from '../declare.ts'
import { compileGraphSnapshots } from './compile-dated.ts'
import { graphSnapshots } from './dated-tables.ts'

export const transfers = source('transfers', {
  late: '3d',
  columns: {
    id: id(),
    at: eventTime(),
    sender: key('integer'),
    receiver: key('integer'),
    amount: money('EUR'),
    channel: category(['app', 'branch']),
    urgent: integer({ nullable: true }),
  },
})
export const network = graphSnapshots('network', {
  of: transfers,
  from: 'sender',
  to: 'receiver',
  window: '2d',
  every: '1d',
  vertices: ['pageRank', 'componentSize', 'core'],
  graph: ['density', 'giantShare', 'assortativity', 'vertices'],
})
export const ranks = compileFeatureSet(
  featureSet('ranks', transfers, (tx) => {
    const sender = tx.lookup(network.vertices, { by: { vertex: 'sender' } })
    const receiver = tx.lookup(network.vertices, { by: { vertex: 'receiver' } })
    const whole = tx.lookup(network.graph)
    return [
      sender.value('pageRank').as('sender_rank'),
      receiver.value('componentSize').orElse(0).as('receiver_component'),
      receiver.value('core').as('receiver_core'),
      whole.value('density').as('density'),
      whole.value('giantShare').as('giant'),
      whole.value('assortativity').as('assortativity'),
      whole.isAbsent().as('first_day'),
      tx.per('sender').count().over('2d').as('sent'),
    ]
  }),
)

export const compiled = compileGraphSnapshots(network)
