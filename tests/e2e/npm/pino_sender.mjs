// Logs through pino and pino-loki: node pino_sender.mjs URL BATCHING(1|0) COUNT TENANT
// Every line is numbered; the process ends when all of them have been handed over. Writes what it logged, as JSON.
import { createRequire } from 'node:module'
const require = createRequire(process.cwd() + '/')
const pino = require('pino')
const pinoLoki = require('pino-loki').default

const [host, batching, count, tenant] = process.argv.slice(2)
const transport = pinoLoki({
  host, batching: batching === '1', interval: 0.2, timeout: 20000, headers: { 'X-Scope-OrgID': tenant },
  labels: { application: 'pino', client: 'pino-loki' }, propsToLabels: ['shop'], structuredMetaKey: 'meta'
})
let stamp = 0
const levels = ['debug', 'info', 'warn', 'error', 'fatal']
const logger = pino({ level: 'debug', timestamp: () => `,"time":${stamp}` }, transport)
const sent = []
const first = Date.now() - 60000
for (let i = 0; i < Number(count); i++) {
  stamp = first + i
  const level = levels[i % levels.length]
  logger[level]({ n: i, shop: i % 2 ? 'a' : 'b', meta: { trace_id: `t${i}` } }, `line ${i} grün "quoted" \u2028 <b>`)
  sent.push({ n: i, ms: stamp, level, shop: i % 2 ? 'a' : 'b' })
}
transport.end()
transport.on('close', () => process.stdout.write(JSON.stringify({ sent })))
