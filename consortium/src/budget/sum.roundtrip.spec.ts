import {
  checkDealing,
  coefficientCount,
  combine,
  deal,
  decryptionShare,
  digest,
  encryptVector,
  loadCrypto,
  packVector,
  sumKeyShares,
  unpackSum,
} from '@coferment/crypto';
import { expect, it } from 'vitest';
import { planAggregation } from './aggregation.budget.js';

it.each([
  [3, 3, 2, 'auto'],
  [6, 5, 4, 8],
  [16, 7, 5, 'auto'],
] as const)(
  'planned numbers carry a sum of %i sites through (%i, %i) with %s value bits',
  async (sites, keyHolders, threshold, valueBits) => {
    await loadCrypto();
    const parameters = planAggregation({ sites, keyHolders, threshold, valueBits, set: 'INSECURE_TEST_1024' });
    const shape = { packed: 50, exact: 2 };
    const k = digest('round');
    const names = Array.from({ length: sites }, (_, index) => `site-${index}`);
    const dealings = names.map((dealer) => deal({ e0: 'e0', dealer, parameters }));
    const largest = 2 ** parameters.valueBits - 1;
    const uploads = dealings.map(({ secretKey }, index) => {
      const packed = Uint32Array.from({ length: shape.packed }, (_, i) => (i % 2 === 0 ? largest : (i * (index + 1)) % largest));
      return encryptVector({
        parameters,
        k,
        secretKey,
        coefficients: packVector(shape, parameters, packed, [BigInt(index), (1n << 48n) - 1n]),
      });
    });
    const shares = new Map(
      Array.from({ length: threshold }, (_, position) => {
        const holderIndex = keyHolders - 1 - position;
        const keyShares = dealings.map(({ commitments, masked, privateShares }, index) =>
          checkDealing({
            e0: 'e0',
            dealer: names[index]!,
            holderIndex,
            parameters,
            commitments,
            masked,
            privateShare: privateShares[holderIndex]!,
          }),
        );
        const share = decryptionShare({
          parameters,
          k,
          setDigest: digest('set'),
          kind: 'update',
          holder: `holder-${holderIndex}`,
          holderIndex,
          keyShareSum: sumKeyShares(keyShares),
          noiseKey: new Uint8Array(32).fill(holderIndex),
          coefficients: coefficientCount(shape, parameters),
        });
        return [holderIndex, share] as const;
      }),
    );
    const result = combine({ parameters, sum: uploads, coefficients: coefficientCount(shape, parameters), addends: sites, shares });
    if (!result.ok) throw new Error(result.reason);
    const opened = unpackSum(shape, parameters, result.coefficients, sites);
    expect(Array.from(opened.packed)).toEqual(
      Array.from({ length: shape.packed }, (_, i) =>
        names.reduce((sum, _name, index) => sum + (i % 2 === 0 ? largest : (i * (index + 1)) % largest), 0),
      ),
    );
    expect(opened.exact).toEqual([BigInt((sites * (sites - 1)) / 2), BigInt(sites) * ((1n << 48n) - 1n)]);
  },
);
