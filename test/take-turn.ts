/** Set up for each heavy file, before anything of it is loaded: waits for its turn in a whole run. */
import { once } from 'node:events';
import { connect } from 'node:net';

const port = Number(process.env.MODELS_TEST_TURNS);
if (port > 0) {
  const socket = connect(port, '127.0.0.1');
  // Without who gives turns, a file begins at once.
  socket.on('error', () => {});
  await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  // It stays open as long as this process, and holds nothing up.
  socket.unref();
}
