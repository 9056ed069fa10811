// Figures of order books and trades by their published definitions (docs/guides/market.md).
import { featureSet, market } from 'assay'
import { orders, quotes, trades } from './sources.ts'

/** What best prices and sizes allow, on the real book. */
export const book = featureSet(
  'book',
  quotes,
  (tx) => {
    const symbol = tx.per('symbol')
    const best = { bid: tx.value('bid'), ask: tx.value('ask') }
    const level = { bid: 'bid', ask: 'ask', bidSize: 'bid_size', askSize: 'ask_size' } as const
    const mid = market.mid(best)
    const flow = market.orderFlowImbalance(tx, symbol, level)
    const volatility = market.realisedVolatility(tx, symbol, mid)
    return [
      mid.as('MID').describe('Halfway between the best prices'),
      market.spread(best).as('SPREAD').describe('Ask − bid'),
      market.relativeSpread(best).as('RELATIVE_SPREAD').describe('Spread, as a share of the mid'),
      market
        .depthImbalance(tx.value('bid_size'), tx.value('ask_size'))
        .as('DEPTH_IMBALANCE')
        .describe('From −1, all shares are at the ask, to 1, all are at the bid'),
      ...flow
        .overLast(25, 100, 400)
        .as((w) => `OFI_${w.events}_EVENTS`)
        .describe((w) => `Order-flow imbalance of the last ${w.words}, in shares`),
      ...flow
        .over('10s', '60s')
        .as((w) => `OFI_${w.text}`)
        .describe((w) => `Order-flow imbalance of ${w.words} of constructed time, in shares`),
      ...([25, 100, 400] as const).map((events) =>
        mid
          .minus(symbol.lag(tx.derive(mid), events).over('1d'))
          .as(`MID_CHANGE_${events}_EVENTS`)
          .describe(`Change of the mid since ${events} events before`),
      ),
      ...volatility
        .overLast(100, 400)
        .as((w) => `REALISED_VOLATILITY_${w.events}_EVENTS`)
        .describe((w) => `√ of the summed squared log returns of the mid, ${w.words}`),
    ]
  },
  { description: 'Spread, imbalance, order flow and volatility of the best level' },
)

/** The tape has one trade a second and symbol: these are 1,800 of them. */
const HALF_AN_HOUR = '30m'

/** What needs trades, on the constructed tape. */
export const tape = featureSet(
  'constructed-tape',
  trades,
  (tx) => {
    const symbol = tx.per('symbol')
    const buy = tx.value('side').is('buy')
    const side = buy.choose(1, -1)
    const [price, size] = [tx.value('price'), tx.value('size')]
    // The tape gives the mid that a trade met, which is what its price is held against.
    const met = { bid: tx.value('mid_before'), ask: tx.value('mid_before') }
    const effective = market.effectiveSpread({ side, price }, met)
    const signedVolume = side.times(size)
    return [
      symbol
        .mean('mid_after')
        .over(HALF_AN_HOUR)
        .as('MEAN_MID')
        .describe('Constructed tape: mean mid of half an hour'),
      effective.as('EFFECTIVE_SPREAD').describe('Constructed tape: what a taker paid, both ways'),
      symbol
        .mean(tx.derive(effective, { decimals: 2 }))
        .over(HALF_AN_HOUR)
        .as('MEAN_EFFECTIVE_SPREAD')
        .describe('Constructed tape: mean of half an hour'),
      market
        .kylesLambda(tx, symbol, 'mid_after', { signedVolume })
        .over(HALF_AN_HOUR)
        .as('KYLES_LAMBDA')
        .describe('Constructed tape: dollars a share, over half an hour'),
      market
        .amihud(tx, symbol, 'mid_after', price.times(size))
        .over(HALF_AN_HOUR)
        .as('AMIHUD')
        .describe('Constructed tape: return a million dollars traded, over half an hour'),
      symbol
        .vpin('size', { buy, bucketVolume: 20_000, buckets: 10 })
        .over('1d')
        .as('VPIN')
        .describe('Constructed tape: mean imbalance of 10 buckets of 20,000 shares'),
      market
        .realisedVolatility(tx, symbol, 'mid_after')
        .over(HALF_AN_HOUR)
        .as('REALISED_VOLATILITY')
        .describe('Constructed tape: √ of the summed squared log returns of half an hour'),
    ]
  },
  { description: 'Trade-based figures of a constructed tape' },
)

/** What orders cost, on constructed orders. */
export const execution = featureSet(
  'constructed-execution',
  orders,
  (tx) => {
    const desk = tx.per('desk')
    const side = tx.value('side').is('buy').choose(1, -1)
    const [decisionPrice, ordered] = [tx.value('decision_price'), tx.value('ordered')]
    const fillPrice = tx.value('fill_price')
    const slippage = market.slippage({ side, price: fillPrice }, tx.value('arrival_mid'))
    const shortfall = market.implementationShortfall({
      side,
      decisionPrice,
      fillPrice,
      ordered,
      filled: tx.value('filled'),
      lastPrice: tx.value('last_price'),
      fees: tx.value('fees'),
    })
    const paper = decisionPrice.times(ordered)
    return [
      slippage.as('SLIPPAGE').describe('Constructed order: cost against the mid at arrival'),
      shortfall
        .as('IMPLEMENTATION_SHORTFALL')
        .describe('Constructed order: gain on paper less real gain, in dollars'),
      shortfall
        .dividedBy(paper)
        .as('SHORTFALL_SHARE')
        .describe('Constructed order: shortfall, as a share of the order at its decision price'),
      desk
        .mean(tx.derive(shortfall, { decimals: 2 }))
        .overLast(500)
        .as('DESK_MEAN_SHORTFALL')
        .describe('Constructed orders: mean shortfall of the desk’s last 500, in dollars'),
    ]
  },
  { description: 'Slippage and implementation shortfall of constructed orders' },
)
