import { testPlay } from './play.fixture.js';

testPlay('undisturbed', { armed: false });
testPlay('undisturbed');
