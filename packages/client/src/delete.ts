import type { Core } from './core.ts';
import { underDeadline } from './deadline.ts';
import { deleteRecursive } from './delete-recursive.ts';
import { optionsOf } from './given.ts';
import { deleteGuaranteed } from './guaranteed.ts';
import type { DeleteOptions } from './method-options.ts';
import { deleteNode } from './operations/write.ts';
import { checkCallOptions } from './options.ts';
import { checkPath, type PathRoot } from './paths.ts';
import { checkVersion } from './version.ts';
import { waitFor } from './wait.ts';

/** Deletes as a caller asks for it. */
export async function deleteRequested(core: Core, root: PathRoot, path: string, given: DeleteOptions): Promise<void> {
  checkPath(path, 'delete');
  const requested = optionsOf(given, 'delete', path, 'version: 7');
  const { version = -1, recursive = false, guaranteed = false } = requested;
  const options = checkCallOptions(requested, 'delete');
  checkVersion(version, 'delete', path);
  const server = root.toServer(path);
  if (guaranteed) {
    options.signal?.throwIfAborted();
    const attempt = (): Promise<void> => deleteRecursive(core, root, server, version, undefined);
    return waitFor(
      core,
      deleteGuaranteed(core, server, version, path, recursive ? attempt : undefined),
      options,
      'delete',
    );
  }
  if (!recursive) {
    await core.dispatcher.call(deleteNode, { path: server, version }, path, options);
    return;
  }
  return underDeadline(core, options, { operation: 'delete', path, maybeApplied: true }, ({ signal }) =>
    deleteRecursive(core, root, server, version, signal),
  );
}
