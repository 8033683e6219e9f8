// Loaded into a child with --import: the end of the pipe on fd 3 means that whoever started it is gone, killed or
// not, and a child must not outlive its test. Children of the child inherit the flag, but not the pipe.
import { Socket } from 'node:net'

if (process.env['E2E_PARENT'] === String(process.ppid)) watch()

function watch() {
  const lifeline = new Socket({ fd: 3, readable: true, writable: false })
  lifeline.on('error', () => {})
  lifeline.on('close', () => {
    process.kill(process.pid, 'SIGTERM')
    setTimeout(() => process.exit(1), 5000).unref()
  })
  lifeline.resume()
  lifeline.unref()
}
