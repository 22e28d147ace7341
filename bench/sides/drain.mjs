// Reads standard input to its end, once a millisecond, so that whoever writes never has to wake a sleeping
// reader.
import { closeSync, constants, openSync, readSync } from 'node:fs';

const pipe = openSync('/dev/stdin', constants.O_RDONLY | constants.O_NONBLOCK);
const buffer = Buffer.alloc(65_536);

function drain() {
  try {
    while (readSync(pipe, buffer) > 0);
    closeSync(pipe);
  } catch (error) {
    // Empty for now.
    if (error.code === 'EAGAIN') setTimeout(drain, 1);
    else throw error;
  }
}
drain();
