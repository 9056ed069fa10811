// Order books and trades: features alone, without models or decisions. README.md has the commands.
import { featureProject } from 'assay'
import { book, execution, tape } from './features.ts'
import { orders, quotes, trades } from './sources.ts'

export default featureProject('order-book', {
  title: 'Order book',
  description:
    'Figures of a real order book (times constructed), and of a constructed trade tape and orders ' +
    'whose answers are known.',
  owner: 'Market risk',
  sources: [quotes, trades, orders],
  featureSets: [book, tape, execution],
})
