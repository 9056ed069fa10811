import { start } from '/work/main/src/roles/start.ts'
const code = await start({ home: process.argv[2]!, project: '/work/main/examples/card-fraud', port: Number(process.argv[3] ?? 7070), host: '127.0.0.1', fresh: true, log: 'text', replay: true, ...(process.argv[4] && { data: process.argv[4] }) } as never)
process.exit(code)
