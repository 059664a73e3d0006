import { createRequire } from 'node:module';

/** The package is CommonJS without types; these are the two calls that are used. */
interface UcumService {
  convertUnitTo(
    fromUnit: string,
    value: number,
    toUnit: string,
  ): { readonly status: 'succeeded' | 'failed' | 'error'; readonly toVal: number | null; readonly msg: readonly string[] };
  validateUnitString(unit: string): { readonly status: 'valid' | 'invalid' | 'error'; readonly msg: readonly string[] };
}

const { UcumLhcUtils } = createRequire(import.meta.url)('@lhncbc/ucum-lhc') as { UcumLhcUtils: { getInstance(): UcumService } };

export const ucumService: UcumService = UcumLhcUtils.getInstance();
