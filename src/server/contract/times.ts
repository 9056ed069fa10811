/** How times are read and shown in the bank's zone: the page by the very same code as the server. */
export { calendar, parseTimestamp } from '../../lib/time.ts'
