// Logs through winston and winston-loki: node winston_sender.cjs URL FORM(json|protobuf) BATCHING(1|0) COUNT TENANT
// Every line is numbered; the process ends when all of them have been handed over. Writes what it logged, as JSON.
const { createRequire } = require('node:module')
const local = createRequire(process.cwd() + '/')
const winston = local('winston')
const LokiTransport = local('winston-loki')

const [host, form, batching, count, tenant] = process.argv.slice(2)
const errors = []
const transport = new LokiTransport({
  host, json: form === 'json', batching: batching === '1', interval: 0.2, replaceTimestamp: false,
  labels: { application: 'winston', client: 'winston-loki' }, headers: { 'X-Scope-OrgID': tenant },
  gracefulShutdown: false, format: winston.format.json(), onConnectionError: error => errors.push(String(error))
})
const logger = winston.createLogger({ level: 'silly', transports: [transport] })
const levels = ['error', 'warn', 'info', 'debug']
const sent = []
const first = Date.now() - 60000
for (let i = 0; i < Number(count); i++) {
  const level = levels[i % levels.length]
  const labels = { shop: i % 2 ? 'a' : 'b' }
  logger.log({ level, message: `line ${i} grün "quoted" \u2028 <b>`, n: i, timestamp: new Date(first + i).toISOString(), labels })
  sent.push({ n: i, ms: first + i, level, shop: labels.shop })
}
logger.on('finish', async () => {
  await transport.flush()
  transport.batcher.runLoop = false
  // Whether protobuf was used: without the snappy module winston-loki falls back to JSON.
  process.stdout.write(JSON.stringify({ sent, json: Boolean(transport.batcher.options.json), errors }), () => process.exit(0))
})
logger.end()
