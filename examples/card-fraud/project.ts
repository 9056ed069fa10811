// Card fraud, end to end: the example bank. Start it with `npm start`.
import { project } from 'assay'
import { behaviour, handbook } from './features.ts'
import { logistic, split, trees } from './models.ts'
import { gate, policy } from './policy.ts'
import { plantBadRows } from './planted.ts'
import { simulate } from './simulator.ts'
import { fraud, transactions } from './sources.ts'

export default project('card-fraud', {
  title: 'Card fraud',
  description: 'From raw card payments to a governed decision in milliseconds.',
  example: true,
  owner: 'Fraud analytics',
  sources: [transactions],
  labels: [fraud],
  featureSets: [handbook, behaviour],
  models: [trees, logistic],
  split,
  gates: [gate],
  policies: [policy],
  seed: 2018,
  registeredModel: {
    name: 'card-fraud',
    purpose: 'Tell fraudulent card payments from genuine ones before they are authorised.',
    users: ['Fraud operations', 'The card authorisation system'],
    limitations: [
      'Learned from simulated payments; it knows the three kinds of fraud that the simulator plays.',
      'Labels arrive seven days late: a new kind of fraud is not learned before that.',
      'Declined payments never get a natural label.',
    ],
    ethicalConsiderations: [
      'A genuine customer may be declined; every decline can be explained and appealed to a person.',
    ],
    tier: 'high',
    tierRationale: 'Decides on every card payment without a person in between.',
  },
  data: {
    describe: 'Simulated card payments, 5,000 customers at 10,000 terminals',
    fileName: 'transactions.csv',
    generate: () => plantBadRows(simulate({ from: '2018-06-01', until: '2018-09-05', seed: 2018 })),
  },
  replay: { from: '2018-08-15', until: '2018-09-05', speed: 600 },
  approvers: ['Example approver (script)', 'Second example approver (script)'],
})
