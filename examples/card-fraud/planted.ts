// A handful of rows as every real delivery has them, so that the quarantine is worth a look.
const PLANTED: readonly string[] = [
  '9000001,2018-06-14 10:12:00,17,204,-12.30,1160000,13,0,0',
  '9000002,2018-13-01 08:00:00,1201,77,25.00,1160001,13,0,0',
  '9000003,2018-06-14 11:30:15,,3141,48.10,1160002,13,0,0',
  '9000004,2018-06-14 12:00:01,88,9001,12.345,1160003,13,0,0',
  '9000005,2018-06-14 12:45:09,4021,512,1O2.50,1160004,13,0,0',
  '9000006,2118-06-14 13:05:44,350,6402,9.99,1160005,13,0,0',
  '9000007,2018-06-14 14:22:31,99007199254740993,1200,33.00,1160006,13,0,0',
  '42,2018-06-14 15:01:02,2220,810,61.75,1160007,13,0,0',
  '9000008,2018-06-14 16:40:00,731,2950',
]

/** Passes the text through and lays the planted rows after the second day. */
export function* plantBadRows(chunks: Iterable<string>): Generator<string> {
  let day = -1
  for (const chunk of chunks) {
    yield chunk
    if (++day === 2) yield `${PLANTED.join('\n')}\n`
  }
}
