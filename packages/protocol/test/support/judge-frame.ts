import { JuteError } from 'jute-ts';
import { ZooKeeperError } from '../../src/errors.ts';
import type { FrameKind } from '../../src/index.ts';
import { decodeFrame, extent } from './frame-codec.ts';

/** Whether a frame, whatever is in it, was read, or refused as it should be. Throws where neither is so. */
export function judgeFrame(body: Buffer, kind: FrameKind): 'read' | 'refused' {
  try {
    const { parts } = decodeFrame(body, kind);
    const made = extent(parts.map(([, value]) => value));
    // The list of parts itself is no longer than the frame either: a header of a multi takes nine bytes.
    if (made > body.length + parts.length) throw new Error(`${made} made of ${body.length} bytes`);
    return 'read';
  } catch (error) {
    if (error instanceof JuteError || (error instanceof ZooKeeperError && error.code === 'PROTOCOL')) return 'refused';
    throw error;
  }
}
