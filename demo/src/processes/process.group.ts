import { ChildProgram, type ProgramSpecification } from './child.program.js';
import { DemoError } from '../errors/index.js';

/** Every process of one demo. Whatever ends the demo, `stopAll` or `killAll` leaves none behind. */
export class ProcessGroup {
  private readonly programs = new Set<ChildProgram>();
  private closed = false;

  start(specification: ProgramSpecification): ChildProgram {
    if (this.closed) throw new DemoError('interrupted', `${specification.name} was not started: the demo is ending.`);
    const program = new ChildProgram(specification);
    this.programs.add(program);
    void program.ended.then(() => this.programs.delete(program));
    return program;
  }

  /**
   * Runs a command to its end and returns what it printed.
   * @throws DemoError 'process-failed' with its last words when its exit code is not 0.
   */
  async run(specification: ProgramSpecification): Promise<readonly string[]> {
    const program = this.start(specification);
    const { code } = await program.ended;
    if (code !== 0) throw program.failure();
    return program.outputLines;
  }

  get pids(): number[] {
    return [...this.programs].map((program) => program.pid).filter((pid) => pid !== undefined);
  }

  async stopAll(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.programs].map((program) => program.stop()));
  }

  /** For the last moment of the demo's own process, where nothing can be awaited any more. */
  killAll(): void {
    this.closed = true;
    for (const program of this.programs) program.kill('SIGKILL');
  }
}
