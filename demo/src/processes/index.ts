export { ChildProgram, type ProgramEnd, type ProgramEvent, type ProgramSpecification } from './child.program.js';
export { ProcessGroup } from './process.group.js';
