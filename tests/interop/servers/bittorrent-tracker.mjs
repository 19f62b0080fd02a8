// npm's tracker on the port given, plain WebSocket alone.
import Server from 'bittorrent-tracker/server'

const port = Number(process.argv[2])
const server = new Server({ udp: false, ws: true, stats: false })
server.on('warning', () => {})
server.on('error', (error) => {
  console.error(error)
  process.exit(1)
})
server.listen(port, '127.0.0.1', () => console.log(`ready port=${port}`))
