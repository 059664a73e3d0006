import { testPlay } from './play.fixture.js';

testPlay('missing');
