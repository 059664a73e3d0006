import { MAX_SITES } from '@coferment/consortium';
import {
  ExtendDeadlineResponse,
  OpenNewSetResponse,
  type OperatorServiceServer,
  PauseRunResponse,
  ReadmitSiteResponse,
  ResumeRunResponse,
} from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import { requireCount, requireText } from '../agent-port/field.limits.js';
import { CoordinatorError } from '../errors/index.js';
import { NewSetService } from '../runs/new-set.service.js';
import { ReadmissionService } from '../runs/readmission.service.js';
import { RunControl } from '../runs/run.control.js';
import { RUN_LENGTH } from './run.handlers.js';
import { REASON_LENGTH, SITE_LENGTH } from './site.handlers.js';

/** A year: nobody waits longer for one stage of a sum. */
const LONGEST_EXTENSION_MS = 365 * 86_400_000;

type Method = 'pauseRun' | 'resumeRun' | 'extendDeadline' | 'openNewSet' | 'readmitSite';

function requireSites(sites: readonly string[]): string[] {
  if (sites.length > MAX_SITES)
    throw new CoordinatorError('too-large', `${sites.length} sites were named; a run has at most ${MAX_SITES}. Nothing was changed.`);
  return sites.map((site) => requireText('site', site, SITE_LENGTH));
}

/** The operator's hand on a run that is going. */
@Injectable()
export class ControlHandlers {
  readonly handlers: Pick<OperatorServiceServer, Method>;

  constructor(control: RunControl, newSets: NewSetService, readmission: ReadmissionService) {
    this.handlers = {
      pauseRun: unary(async ({ run, reason }) => {
        await control.pause(requireText('run', run, RUN_LENGTH), reason.slice(0, REASON_LENGTH));
        return PauseRunResponse.fromPartial({});
      }),
      resumeRun: unary(async ({ run }) => {
        await control.resume(requireText('run', run, RUN_LENGTH));
        return ResumeRunResponse.fromPartial({});
      }),
      extendDeadline: unary(async ({ run, sum, byMs, reason }) => {
        const by = requireCount('byMs', byMs, LONGEST_EXTENSION_MS);
        if (by === 0) throw new CoordinatorError('malformed', 'The field byMs is 0; it must be at least 1 ms.');
        const deadlineMs = await control.extend(requireText('run', run, RUN_LENGTH), sum, by, reason.slice(0, REASON_LENGTH));
        return ExtendDeadlineResponse.fromPartial({ deadlineMs });
      }),
      openNewSet: unary(async ({ run, sum, sites }) =>
        OpenNewSetResponse.fromPartial(await newSets.propose(requireText('run', run, RUN_LENGTH), sum, requireSites(sites))),
      ),
      readmitSite: unary(async ({ run, site }) => {
        await readmission.readmit(requireText('run', run, RUN_LENGTH), requireText('site', site, SITE_LENGTH));
        return ReadmitSiteResponse.fromPartial({});
      }),
    };
  }
}
