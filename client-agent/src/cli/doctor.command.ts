import type { SecretFlags } from '@coferment/crypto';
import type { Command } from 'commander';
import type { Finding } from '../connection/finding.js';
import { examine } from '../doctor/doctor.js';
import { readSubject } from '../doctor/doctor.subject.js';
import { renderFinding, renderVerdict } from '../doctor/doctor.text.js';
import { itNotice, renderNotice } from '../doctor/it.notice.js';
import { printableLines } from '../printable.text.js';
import { fail } from './command.output.js';

interface DoctorOptions extends SecretFlags {
  data?: string;
  invite?: string;
  mapping?: string;
  records?: string;
  json?: boolean;
}

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Find out what keeps this site from taking part, and what to tell the IT department')
    .option('--data <dir>', 'data folder of this site')
    .option('--invite <file>', 'before joining: invite file from the operator')
    .option('--passphrase-file <file>', 'also open the key store')
    .option('--key-file <file>', 'the same, with a key file')
    .option('--mapping <file>', "also read this site's records through its mapping file")
    .option('--records <dir>', 'folder that the mapping reads from')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit code: 0 nothing fails, 1 something does.\nExamples:\n  coferment-agent doctor --invite invite-lab1.json\n  coferment-agent doctor --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase',
    )
    .action(runDoctor);
}

async function runDoctor(options: DoctorOptions): Promise<void> {
  try {
    const subject = readSubject(options);
    const print = (lines: readonly string[]) => {
      if (options.json !== true) process.stdout.write(`${printableLines(lines.join('\n'))}\n`);
    };
    print([`Site ${subject.site} of consortium ${subject.consortium}, coordinator ${subject.endpoint.address}`]);
    const findings: Finding[] = [];
    // Line by line: a silent firewall is waited for.
    for await (const finding of examine(subject, options)) {
      findings.push(finding);
      print(renderFinding(finding));
    }
    const it = itNotice(subject, findings);
    print(['', renderVerdict(findings), '', ...renderNotice(it)]);
    const ok = findings.every(({ result }) => result !== 'fail');
    const { site, consortium, endpoint } = subject;
    if (options.json === true)
      process.stdout.write(`${JSON.stringify({ ok, site, consortium, coordinator: endpoint.address, checks: findings, it })}\n`);
    if (!ok) process.exitCode = 1;
  } catch (error) {
    fail(options, error);
  }
}
