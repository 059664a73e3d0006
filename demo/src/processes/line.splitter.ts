import { StringDecoder } from 'node:string_decoder';

/** Cuts a byte stream into lines; a character or line that arrives in pieces stays whole. */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  constructor(private readonly take: (line: string) => void) {}

  write(chunk: Buffer): void {
    const lines = (this.rest + this.decoder.write(chunk)).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.take(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  flush(): void {
    const last = this.rest + this.decoder.end();
    this.rest = '';
    if (last !== '') this.take(last);
  }
}
