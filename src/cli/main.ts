import { createProgram } from './program.ts';
import { reportError } from './terminal.ts';

// The reader of a pipe may leave early (`candela export … | head`): that ends the work, and is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const program = createProgram();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportError(error, { verbose: program.opts().verbose === true });
}
