/** As whom a call is made. `stranger`: without a client certificate. */
export type Role = 'stranger' | 'operator' | 'site' | 'auditor';

const PREFIX = '/coferment.v1.';

/**
 * Who may call what: every method of the wire, and nothing else is answered. docs/roles.md shows the same table, and a test compares both with the services.
 * What an auditor may call also depends on the charter.
 */
export const ACCESS: Readonly<Record<string, readonly Role[]>> = {
  // A joiner has no certificate yet; an agent that comes back after months has an expired one.
  'EnrolmentService/Hello': ['stranger'],
  'EnrolmentService/Join': ['stranger'],
  'EnrolmentService/Renew': ['stranger'],
  'PollingService/Poll': ['site'],
  'StatementService/SubmitStatement': ['site'],
  'NonceService/SubmitNonce': ['site'],
  'ShareService/SubmitShare': ['site'],
  'UploadService/GetUpload': ['site'],
  'UploadService/Upload': ['site'],
  // What is published, and what published sums were opened from; sites also what is theirs to read of a run.
  'DownloadService/Download': ['operator', 'site', 'auditor'],
  'DownloadService/GetBlockDigests': ['site'],
  'ModelService/DescribeModel': ['operator', 'site'],
  'LedgerService/GetCheckpoint': ['operator', 'site', 'auditor'],
  'LedgerService/GetEntries': ['operator', 'site', 'auditor'],
  'LedgerService/GetConsistencyProof': ['operator', 'site', 'auditor'],
  'LedgerService/AwaitCheckpoint': ['site'],
  'LedgerService/AddCosignature': ['site'],
  'LedgerService/GetReceipt': ['operator', 'site', 'auditor'],
  'OperatorService/CreateInvite': ['operator'],
  'OperatorService/AdmitSite': ['operator'],
  'OperatorService/RefuseSite': ['operator'],
  'OperatorService/RevokeSite': ['operator'],
  'OperatorService/RemoveSite': ['operator'],
  'OperatorService/RollAuthority': ['operator'],
  'OperatorService/RetireAuthority': ['operator'],
  'OperatorService/PublishPlan': ['operator'],
  'OperatorService/LaunchRun': ['operator'],
  'OperatorService/AbortRun': ['operator'],
  'OperatorService/PauseRun': ['operator'],
  'OperatorService/ResumeRun': ['operator'],
  'OperatorService/ExtendDeadline': ['operator'],
  'OperatorService/OpenNewSet': ['operator'],
  'OperatorService/ReadmitSite': ['operator'],
  'OperatorService/CheckObjects': ['operator'],
  'OperatorService/SweepObjects': ['operator'],
  'OperatorService/RenewEpoch': ['operator'],
  'OperatorService/GetStatus': ['operator'],
  'OperatorService/GetLedgerStatus': ['operator'],
  'OperatorService/GetRosters': ['operator'],
  'OperatorService/GetRun': ['operator'],
  'OperatorService/ReleaseModel': ['operator'],
  'OperatorService/WatchRun': ['operator'],
};

/** @param path as gRPC has it, `/coferment.v1.Service/Method`. A method without a row is for nobody. */
export function rolesOf(path: string): readonly Role[] {
  const method = path.startsWith(PREFIX) ? path.slice(PREFIX.length) : '';
  return Object.hasOwn(ACCESS, method) ? (ACCESS[method] ?? []) : [];
}

/** What is open to strangers is open to everybody, and then nobody is asked who they are. */
export function allows(path: string, role: Role): boolean {
  return rolesOf(path).includes(role);
}
