import '../components/site-header';
import './missing-page';
import { startLanguage } from '../i18n';

void startLanguage();
