// What enters: the best prices of a real order book, and a trade tape and orders that are
// constructed (constructed.ts), because the public sample of the book has none.
import { category, eventTime, id, integer, key, money, source } from 'assay'

const sizes = { min: 0, max: 100_000_000 }
const prices = { min: '0.01', max: '100000.00' }

/** Real prices and sizes; only the times are constructed (book-file.ts). */
export const quotes = source('quotes', {
  description: 'Best prices and sizes after each event of a book; event times are constructed',
  columns: {
    quote_id: id({ type: 'integer', description: 'Place of the event in the file, from 1' }),
    at: eventTime({ description: 'Constructed: the sample has no times' }),
    symbol: key('text'),
    bid: money('USD', { ...prices, description: 'Best price of those who buy' }),
    ask: money('USD', { ...prices, description: 'Best price of those who sell' }),
    bid_size: integer({ ...sizes, description: 'Shares at the bid' }),
    ask_size: integer({ ...sizes, description: 'Shares at the ask' }),
  },
})

export const trades = source('constructed-trades', {
  description: 'A constructed trade tape with known answers; no market traded this',
  columns: {
    trade_id: id({ type: 'integer' }),
    at: eventTime(),
    symbol: key('text', { description: 'Constructed; no listed share' }),
    side: category(['buy', 'sell'], { description: 'Who started the trade' }),
    price: money('USD', prices),
    size: integer({ ...sizes, description: 'Shares' }),
    mid_before: money('USD', { ...prices, description: 'Mid of the quote that the trade met' }),
    mid_after: money('USD', { ...prices, description: 'Mid of the quote that it left behind' }),
  },
})

export const orders = source('constructed-orders', {
  description: 'Constructed orders of a desk, as they ended; no one gave them',
  columns: {
    order_id: id({ type: 'integer' }),
    at: eventTime({ description: 'When the order ended' }),
    desk: key('text'),
    side: category(['buy', 'sell']),
    ordered: integer(sizes),
    filled: integer(sizes),
    decision_price: money('USD', { ...prices, description: 'When it was decided to trade' }),
    arrival_mid: money('USD', { ...prices, description: 'When the order reached the market' }),
    fill_price: money('USD', { ...prices, description: 'Mean price of what was filled' }),
    last_price: money('USD', { ...prices, description: 'When the order ended' }),
    fees: money('USD', { min: '0.00', max: '100000.00' }),
  },
})
