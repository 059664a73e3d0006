import { RunReconciler } from '../../coordinator/src/runs/run.reconciler.js';
import { PLAN_TEXT, TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';

/** A site that does not poll for minutes is not absent, and no deadline passes: an attack on one site keeps the others waiting. */
const PATIENT_PLAN = `${PLAN_TEXT}quorum: { absentAfterPolls: 1000, deadline: 10 h }\n`;

/** A coordinator whose runs wait for their sites however slow the machine is, so that whatever changes in them is the attack's doing. */
export class PatientCoordinator extends TestCoordinator {
  override launch(text = PATIENT_PLAN): Promise<string> {
    return super.launch(text);
  }

  /** Returns when all steps that the acts so far lead to are taken: a site's call is answered before they are. */
  rest(run: string): Promise<void> {
    return this.running.context.get(RunReconciler).advance(run);
  }
}
