import { parseTar } from 'nanotar';
import { InputError } from '../core/errors.js';
import type { ImportContext } from './importer.js';
import { LinuxRequests } from './importers/linux-requests.js';
import { scanHexAddress } from './text-scan.js';

/** An archive of a run's facts holds it under one of these names. */
const SNAPSHOT_NAMES = /(^|\/)vmallocinfo(\.before)?$/;
const TAR_MAGIC = Buffer.from('ustar');
const TAR_MAGIC_AT = 257;
const LINE = /^0x([0-9a-f]+)-0x([0-9a-f]+)\s+(\d+)\s*(.*)$/;
/** Those who ask for a stack: fork has gone by several names. */
const FORK_CALLER = /^(kernel_clone|_do_fork|copy_process|dup_task_struct|alloc_thread_stack_node)\b/;

/** Text of /proc/vmallocinfo from such a file, or from a tar archive that has one. @throws InputError if it has none. */
export function snapshotText(bytes: Buffer, file: string): string {
  if (!bytes.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + TAR_MAGIC.length).equals(TAR_MAGIC))
    return bytes.toString('latin1');
  const found = parseTar(new Uint8Array(bytes)).find(({ name }) => SNAPSHOT_NAMES.test(name));
  if (found?.data !== undefined) return Buffer.from(found.data).toString('latin1');
  throw new InputError('holds no vmallocinfo', {
    file,
    allowed: 'vmallocinfo.before or vmallocinfo in the archive',
  });
}

/**
 * Areas that lived before the recording, as /proc/vmallocinfo lists them, so that no free of theirs is unknown: they are
 * allocated at time 0. A caller in fork and the size of a stack make a stack area, as its alignment does in the trace.
 */
export class InitialAreas extends LinuxRequests {
  constructor(context: ImportContext) {
    super(context);
  }

  /** Hands on all areas of a snapshot. @throws InputError for a line that is none of vmallocinfo. */
  emit(text: string, file: string): void {
    const { event } = this;
    event.timeNs = 0;
    event.cpu = 0;
    event.pid = -1;
    text.split('\n').forEach((line, index) => {
      if (line.trim() !== '') this.area(line, { file, line: index + 1 });
    });
  }

  private area(line: string, at: { readonly file: string; readonly line: number }): void {
    const [, from, to, size, owner] = LINE.exec(line) ?? [];
    const start = addressOf(from ?? '');
    if (!(start > 0) || addressOf(to ?? '') - start !== Number(size)) {
      throw new InputError('is no line of vmallocinfo with addresses', {
        ...at,
        allowed: '0xSTART-0xEND BYTES CALLER, read by root',
      });
    }
    const bytes = Buffer.from(line, 'latin1');
    this.context.skips.atLine(bytes, 0, bytes.length);
    const unpurged = owner!.startsWith('unpurged vm_area');
    if (unpurged && this.context.options.freeAt === 'unmap') {
      this.context.skips.add(this.context.skips.row('unpurged-at-start', 'va'));
      return;
    }
    this.event.site = this.callerOf(owner!);
    const { threadSize, guardSize } = this.context.options;
    const forStack = Number(size) === threadSize + guardSize && FORK_CALLER.test(owner!);
    this.vmapAllocated(start, Number(size), forStack ? threadSize : 0);
    if (unpurged) this.vmapFreed(start);
  }

  private callerOf(owner: string): number {
    const caller = Buffer.from(owner.split(' ', 1)[0]!, 'latin1');
    return caller.length === 0 ? -1 : this.context.sites.idOf(new Uint8Array(caller), 0, caller.length);
  }
}

function addressOf(digits: string): number {
  const bytes = Uint8Array.from(Buffer.from(digits, 'latin1'));
  return scanHexAddress(bytes, 0, bytes.length);
}
