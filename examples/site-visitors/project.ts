// Who visits the bank's web site, live: lines of its access log become unique visitors by minute, by page,
// country and device, and the statements that wrote them. Start it with `npx assay start --project examples/site-visitors`.
import { logStream, streamProject } from 'assay'
import { siteLines } from './site.ts'

const site = logStream('web-site', {
  title: 'Web site',
  description: 'The access log of the bank’s web site, which this example plays.',
  from: { played: siteLines, past: '12h' },
  timeZone: 'Europe/Zurich',
  visitors: { every: '1m', window: '15m', by: ['path', 'country', 'device'], lateness: '1m' },
})

export default streamProject('site-visitors', {
  title: 'Site visitors',
  description: 'Unique visitors of a bank’s web site, from its log, as they come.',
  owner: 'Digital channels',
  logs: [site],
})
